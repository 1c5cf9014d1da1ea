import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads Pulsebook's run journal from its beginning, with nothing of Pulsebook's but the published schemas.
 *
 * <p>Prints one JSON line for each event of each run. Stops at what is the end when it starts.
 * Arguments: SERVERS SCHEMAS [TOPIC]; SCHEMAS is a copy of schemas/avro.
 */
public final class Reader {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final GenericData AVRO = GenericData.get();

  private final BinaryMessageDecoder<GenericRecord> decoder;
  private final Map<String, Long> latest = new HashMap<>();
  private final PrintStream out =
      new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);

  /** Knows today's schema of a journal record, and the earlier ones, by their fingerprints. */
  private Reader(Path schemas) throws IOException {
    decoder = new BinaryMessageDecoder<>(AVRO, parsed(schemas.resolve("JournalRecord.avsc")));
    try (var old = Files.newDirectoryStream(schemas.resolve("old"), "JournalRecord.v*.avsc")) {
      for (Path path : old) {
        decoder.addSchema(parsed(path));
      }
    }
  }

  private static Schema parsed(Path path) throws IOException {
    return new Schema.Parser().parse(path.toFile());
  }

  /** Prints the events of one message; nothing for a repeat of a record that was read before. */
  private void print(ConsumerRecord<byte[], byte[]> message) throws IOException {
    GenericRecord record;
    try {
      record = decoder.decode(message.value() == null ? new byte[0] : message.value());
    } catch (AvroRuntimeException unknown) { // of a later version, or no record
      System.err.println("passed over: no journal record that these schemas know");
      return;
    }
    String run = record.get("run_id").toString();
    long seq = (Long) record.get("seq");
    if (seq <= latest.getOrDefault(run, 0L)) {
      return;
    }
    latest.put(run, seq);
    Schema union = record.getSchema().getField("events").schema().getElementType();
    for (Object event : (List<?>) record.get("events")) {
      ObjectNode line = NODES.objectNode();
      for (String name : List.of("run_id", "seq", "at_ms", "playbook")) {
        line.set(name, plain(record.getSchema().getField(name).schema(), record.get(name)));
      }
      line.put("event", ((GenericRecord) event).getSchema().getName());
      line.set("fields", plain(union, event));
      out.println(JSON.writeValueAsString(line));
    }
  }

  /** A value as JSON has it; some fields are text that holds JSON. */
  private static JsonNode plain(Schema schema, Object value) throws JsonProcessingException {
    switch (schema.getType()) {
      case UNION:
        return plain(schema.getTypes().get(AVRO.resolveUnion(schema, value)), value);
      case RECORD:
        ObjectNode fields = NODES.objectNode();
        for (Schema.Field field : schema.getFields()) {
          Object held = ((GenericRecord) value).get(field.pos());
          boolean json = "json".equals(field.getProp("pulsebook.format"));
          fields.set(field.name(), json ? JSON.readTree(held.toString()) : plain(field.schema(), held));
        }
        return fields;
      case ARRAY:
        ArrayNode items = NODES.arrayNode();
        for (Object item : (List<?>) value) {
          items.add(plain(schema.getElementType(), item));
        }
        return items;
      case MAP:
        ObjectNode entries = NODES.objectNode();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
          entries.set(entry.getKey().toString(), plain(schema.getValueType(), entry.getValue()));
        }
        return entries;
      case STRING:
        return NODES.textNode(value.toString());
      default:
        return JSON.valueToTree(value);
    }
  }

  private void read(String servers, String topic) throws IOException {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", servers);
    settings.put("enable.auto.commit", "false");
    settings.put("allow.auto.create.topics", "false");
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<byte[], byte[]>(settings, bytes, bytes)) {
      List<TopicPartition> places = new ArrayList<>();
      consumer.partitionsFor(topic).forEach(one -> places.add(new TopicPartition(topic, one.partition())));
      consumer.assign(places);
      consumer.seekToBeginning(places);
      Map<TopicPartition, Long> ends = consumer.endOffsets(places);
      while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
        for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofMillis(500))) {
          print(message);
        }
      }
    }
    out.flush();
  }

  public static void main(String[] given) throws IOException {
    if (given.length < 2) {
      System.err.println("usage: Reader SERVERS SCHEMAS [TOPIC]");
      System.exit(2);
    }
    new Reader(Path.of(given[1])).read(given[0], given.length > 2 ? given[2] : "pulsebook.run-journal");
  }
}
