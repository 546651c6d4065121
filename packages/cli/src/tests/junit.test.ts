import { expect, test } from "vitest";
import { junitXml } from "./junit.ts";

const one = (name: string, failures: readonly string[] = []) => ({
  file: "a.test.yaml",
  line: 3,
  name,
  durationMs: 12,
  reached: new Set<string>(),
  failures: failures.map((what) => ({
    line: 4,
    column: 5,
    path: "tests[0].expect",
    what,
    expected: "<x>",
    got: 1,
    step: 2,
  })),
});

test("a suite a file, a case a test, a failure with its place", () => {
  expect(junitXml([one("works"), one("fails", ["actor"])], [])).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="orgloop test" tests="2" failures="1" errors="0" time="0.024">
  <testsuite name="a.test.yaml" file="a.test.yaml" tests="2" failures="1" errors="0" time="0.024">
    <testcase name="works" classname="a.test.yaml" file="a.test.yaml" line="3" time="0.012"/>
    <testcase name="fails" classname="a.test.yaml" file="a.test.yaml" line="3" time="0.012">
      <failure message="a.test.yaml:4:5: actor (event 2)" type="actor">a.test.yaml:4:5: actor (event 2)
expected &quot;&lt;x&gt;&quot;
got 1</failure>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});

test("what is wrong with a configuration is an error, and no text breaks the XML", () => {
  const problem = {
    file: "o.yaml",
    line: 1,
    column: 2,
    path: "",
    code: "c",
    message: `a&b"<\u0000\uD800`,
  };
  const xml = junitXml([one('"]]>\u001b\u{1F600}')], [problem]);
  expect(xml).toContain('tests="2" failures="0" errors="1"');
  expect(xml).toContain(
    '<error message="a&amp;b&quot;&lt;\uFFFD\uFFFD" type="c">o.yaml:1:2: a&amp;b',
  );
  expect(xml).toContain('name="&quot;]]&gt;\uFFFD\u{1F600}"');
});
