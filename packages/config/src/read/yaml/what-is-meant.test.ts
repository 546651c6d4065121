import { expect, test } from "vitest";
import { readYaml } from "./read-yaml.ts";

const TEMPLATE = '{{ … }} has to be in quotes: "{{ x.y }}"';

test.each([
  ["a: 1\nb:\n  c: {{ x.y }}\n", "{{ x.y }}", TEMPLATE],
  ["a: 1\nb:\n  c: {{ x.y }} done\nd: 2\n", "{{ x.y }}", TEMPLATE],
  ["# {{ no }}\nb:\n  - {{ x.y }}\n", "{{ x.y }}", TEMPLATE],
  ["a: 1\nb: [{{ x.y }}, 2]\n", "{{ x.y }}", TEMPLATE],
  ["a: { b: {{ x.y }} }\n", "{{ x.y }}", TEMPLATE],
  ["a:\n  b: 1\n \tc: 2\n", "c: 2", "tabs cannot indent YAML: use spaces"],
  ["a: @x\n", "@x", "a text that begins with @ has to be in quotes"],
  ["a: *x\n", "x", "a text that begins with * has to be in quotes"],
  ["a: - b\n", "- b", "a list begins on a line of its own, below its key"],
  ["a: x: y\n", ": y", 'a text that holds ": " or ends in ":" has to be in quotes'],
  ["a:1\nb: 2\n", ": 2", "a space has to follow the colon of the key above"],
  ["a: 'x\nb: 2\n", "b: 2", "the quote ' of the line above is not closed"],
  ["a: [1, 2\nb: 3\n", "b: 3", "the [ of the line above is not closed by ]"],
])("%j: what is meant is said where it stands", (text, stands, message) => {
  let error: { message?: string; offset?: number } = {};
  try {
    readYaml(text);
  } catch (caught) {
    error = caught as typeof error;
  }
  expect(error.message).toBe(message);
  expect(text.slice(error.offset).startsWith(stands)).toBe(true);
});

test("a key that is no text for another reason is told as before", () => {
  expect(() => readYaml("a: 1\n2: '{{ x }}'\n")).toThrow("keys must be text; put 2 in quotes");
});
