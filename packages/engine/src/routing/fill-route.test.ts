import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleDelivery } from "../delivery/sample-delivery.ts";
import { fillRoute } from "./fill-route.ts";

const base = sampleDelivery("r", "k", "evt_1", 0).event;
const event = { ...base, payload: { title: "Fix it", nested: { a: 1 } } };
const plain = { text: "Read {{payload.title}}", file: "/p.md", meta: null };
const filling = { ...plain, meta: { interpolate: true } };

const filled = (config: Record<string, unknown>, prompt?: typeof plain | typeof filling) =>
  fillRoute({ route: "team/r", config, prompt }, event);

describe("then.config", () => {
  test("every root there is, at its top level only, as text", () => {
    const config = {
      own: "{{payload.title}}",
      same: "{{event.payload.title}}",
      type: "{{payload.nested}}",
      count: "{{payload.nested.a}}",
      route: "{{route}}",
      prompt: "{{launch_prompt}} = {{prompt}} in {{prompt.file}}",
      none: "{{config.own}}{{coalesced}}{{payload.none}}",
      nested: { kept: "{{payload.title}}" },
      number: 3,
    };
    expect(filled(config, plain).config).toEqual({
      own: "Fix it",
      same: "Fix it",
      type: '{"a":1}',
      count: "1",
      route: "team/r",
      prompt: "Read {{payload.title}} = Read {{payload.title}} in /p.md",
      none: "",
      nested: { kept: "{{payload.title}}" },
      number: 3,
    });
  });

  test("a path that is none leads nowhere, and throws nothing", () => {
    const paths = [
      "payload..title",
      "payload.constructor",
      "__proto__.x",
      "",
      "payload.",
      "toString",
    ];
    for (const path of paths)
      expect(filled({ text: `a{{${path}}}b` }).config).toEqual({ text: "ab" });
    const text = fc.string({ unit: fc.constantFrom("{", "}", ".", "a", "payload", "prototype") });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.json())), (config) => {
        filled(config, { ...filling, text: Object.keys(config).join("") });
      }),
    );
  });

  test("what is missing is counted for its route, once an event", () => {
    const missing: string[][] = [];
    const config = { a: "{{payload.none}}", b: "{{launch_prompt}} {{payload.title}}" };
    const prompt = { ...filling, text: "{{payload.nobody}} {{config.a}}" };
    fillRoute({ route: "r", config, prompt }, event, (...one) => missing.push(one));
    expect(missing.toSorted()).toEqual([
      ["r", "payload.nobody"],
      ["r", "payload.none"],
    ]);
  });
});

describe("a prompt", () => {
  test("is filled in where its front matter says so, and nowhere else", () => {
    expect(filled({}, plain).prompt).toBe(plain);
    expect(filled({}, filling).prompt).toEqual({ ...filling, text: "Read Fix it" });
    const said = { ...plain, meta: { interpolate: "true" } };
    expect(filled({}, said as never).prompt?.text).toBe(plain.text);
  });

  test("sees the config, which sees the prompt", () => {
    const config = { subject: "About {{payload.title}}", text: "<{{prompt}}>" };
    const prompt = { ...filling, text: "{{config.subject}}{{config.text}}" };
    expect(filled(config, prompt)).toEqual({
      config: { subject: "About Fix it", text: "<About Fix it<>>" },
      prompt: { ...filling, text: "About Fix it<>" },
    });
  });

  test("a value with braces in it is not filled in again", () => {
    const title = "{{payload.secret}}";
    const injected = { ...event, payload: { title, secret: "s3cret" } };
    const templates = { route: "r", config: { text: "{{launch_prompt}}" }, prompt: filling };
    expect(fillRoute(templates, injected).config).toEqual({ text: `Read ${title}` });
  });
});
