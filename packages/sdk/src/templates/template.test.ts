import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { OrgLoopEvent } from "../event.ts";
import { fillTemplate, placeholderValue, type TemplateValues } from "./fill-template.ts";
import { onlyPlaceholder, parseTemplate } from "./template.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { title: "A {{b}}", number: 7, nothing: null, labels: [{ name: "bug" }] },
  trace_id: "trc_1",
};
const prompt = { text: "Do it", file: "/p.md", meta: { model: "big" } };
const values: TemplateValues = { event, route: "r", config: { channel: "#a" }, prompt };
const filled = (text: string, from = values) => fillTemplate(parseTemplate(text), from);

describe("filling", () => {
  test.each([
    ["{{payload.title}}", "A {{b}}"],
    ["{{ event.payload.title }}!", "A {{b}}!"],
    ["{{payload.number}}/{{payload.labels.0.name}}", "7/bug"],
    ["{{payload.labels}}", '[{"name":"bug"}]'],
    ["{{payload.nothing}}{{payload.none}}{{nobody}}", ""],
    ["{{config.channel}} {{route}}", "#a r"],
    ["{{prompt}}|{{launch_prompt}}|{{prompt.file}}|{{prompt.meta.model}}", "Do it|Do it|/p.md|big"],
    ['{"n":{{payload.number}}}', '{"n":7}'],
    ["{{{payload.number}}}", "{7}"],
    ["{{payload.title", "{{payload.title"],
    ["{{a {{payload.number}}", "{{a 7"],
    ["{{payload..title}}{{payload.constructor}}{{__proto__}}{{}}", ""],
    ["} }} {", "} }} {"],
  ])("%s", (text, expected) => {
    expect(filled(text)).toBe(expected);
  });

  test("a value keeps its type where it is asked for alone", () => {
    const only = onlyPlaceholder(parseTemplate("{{ payload.number }}"));
    expect(only && placeholderValue(only, values)).toBe(7);
    const nothing = onlyPlaceholder(parseTemplate("{{payload.nothing}}"));
    expect(nothing && placeholderValue(nothing, values)).toBeNull();
    expect(onlyPlaceholder(parseTemplate(" {{payload.number}}"))).toBeUndefined();
    expect(onlyPlaceholder(parseTemplate(""))).toBeUndefined();
  });

  test("what is missing is counted, what is null is not", () => {
    const missing: string[] = [];
    const counting = { ...values, onMissing: (path: string) => missing.push(path) };
    filled("{{payload.none}} {{payload.nothing}} {{payload.number}} {{config.none}}", counting);
    expect(missing).toEqual(["payload.none", "config.none"]);
  });
});

describe("problems", () => {
  test.each([
    ["see {{payload.title", 4, "not closed"],
    ["{{payload.title}", 0, "not closed"],
    ["{{payload..title}}", 0, "payload..title"],
    ["a {{ }}", 2, "is not a path"],
    ["{{payload.constructor}}", 0, "payload.constructor"],
    ["{{event.__proto__.x}}", 0, "__proto__"],
  ])("%s", (text, offset, message) => {
    const [problem, ...more] = parseTemplate(text).problems;
    expect(problem?.offset).toBe(offset);
    expect(problem?.message).toContain(message);
    expect(more).toEqual([]);
  });

  test("a text without placeholders is itself, whatever stands in it", () => {
    const pieces = fc.constantFrom("{{", "}}", "{", "}", "a", ".", " ", "payload", "__proto__");
    const texts = fc.array(pieces, { maxLength: 30 }).map((some) => some.join(""));
    fc.assert(
      fc.property(fc.oneof(texts, fc.string()), (text) => {
        const { parts, problems } = parseTemplate(text);
        const own = parts.map((part) => (typeof part === "string" ? part : "")).join("");
        expect(own.length).toBeLessThanOrEqual(text.length);
        if (!text.includes("{{")) expect([own, problems]).toEqual([text, []]);
        expect(typeof filled(text)).toBe("string");
        for (const { offset } of problems) expect(text.startsWith("{{", offset)).toBe(true);
      }),
    );
  });

  test("a thousand open braces are read as fast as they are written", () => {
    const text = "{{a".repeat(100_000);
    expect(parseTemplate(text).problems).toHaveLength(100_000);
  });
});
