// Measures quamina with the patterns and events of a file: see automata.ts.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"time"

	"quamina.net/go/quamina/v2"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	file, err := os.Open(os.Args[1])
	check(err)
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	lines.Scan()
	var patterns, events int
	_, err = fmt.Sscanf(lines.Text(), "%d %d", &patterns, &events)
	check(err)

	matcher, err := quamina.New()
	check(err)
	texts := make([]string, 0, patterns)
	for i := 0; i < patterns && lines.Scan(); i++ {
		texts = append(texts, lines.Text())
	}
	started := time.Now()
	for i, text := range texts {
		check(matcher.AddPattern(i, text))
	}
	compiled := time.Since(started)
	given := make([][]byte, 0, events)
	for i := 0; i < events && lines.Scan(); i++ {
		given = append(given, []byte(lines.Text()))
	}

	matched := 0
	pass := func() float64 {
		matched = 0
		started := time.Now()
		for _, event := range given {
			found, err := matcher.MatchesForEvent(event)
			check(err)
			matched += len(found)
		}
		return float64(time.Since(started).Nanoseconds()) / 1000 / float64(len(given))
	}
	pass()
	passes := []float64{}
	for until := time.Now().Add(time.Second); len(passes) < 3 || time.Now().Before(until); {
		passes = append(passes, pass())
	}
	sort.Float64s(passes)
	fmt.Printf("{\"compileMs\":%f,\"usPerEvent\":%f,\"matched\":%d}\n",
		float64(compiled.Nanoseconds())/1e6, passes[len(passes)/2], matched)
}
