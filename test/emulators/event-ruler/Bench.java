import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import software.amazon.event.ruler.Machine;

/** Measures event-ruler with the patterns and events of a file: see test/bench/match/automata.ts. */
public class Bench {
  private static long matched;

  public static void main(String[] args) throws Exception {
    List<String> patterns = new ArrayList<>();
    List<String> events = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(Path.of(args[0]))) {
      String[] counts = lines.readLine().split(" ");
      for (int i = Integer.parseInt(counts[0]); i > 0; i--) patterns.add(lines.readLine());
      for (int i = Integer.parseInt(counts[1]); i > 0; i--) events.add(lines.readLine());
    }
    Machine machine = new Machine();
    long started = System.nanoTime();
    for (int i = 0; i < patterns.size(); i++) machine.addRule("r" + i, patterns.get(i));
    double compileMs = (System.nanoTime() - started) / 1e6;
    // Compiled by the JVM before it counts.
    long warm = System.nanoTime() + 1_500_000_000L;
    do pass(machine, events); while (System.nanoTime() < warm);
    List<Double> passes = new ArrayList<>();
    long until = System.nanoTime() + 1_000_000_000L;
    while (passes.size() < 3 || System.nanoTime() < until) passes.add(pass(machine, events));
    Collections.sort(passes);
    System.out.printf(
        "{\"compileMs\":%f,\"usPerEvent\":%f,\"matched\":%d}%n", compileMs, passes.get(passes.size() / 2), matched);
  }

  private static double pass(Machine machine, List<String> events) throws Exception {
    matched = 0;
    long started = System.nanoTime();
    for (String event : events) matched += machine.rulesForJSONEvent(event).size();
    return (System.nanoTime() - started) / 1e3 / events.size();
  }
}
