package netext;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads every document into the generated types, and writes it back. */
public class RoundTrip {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper().setSerializationInclusion(JsonInclude.Include.NON_NULL);
        try (DirectoryStream<Path> samples = Files.newDirectoryStream(Path.of(arguments[0]), "*.json")) {
            for (Path sample : samples) {
                NetworkExtensionProtocol read = mapper.readValue(sample.toFile(), NetworkExtensionProtocol.class);
                mapper.writeValue(Path.of(arguments[1]).resolve(sample.getFileName()).toFile(), read);
            }
        }
    }
}
