import {
  fillTemplate,
  isMapping,
  messageOf,
  OrgLoopError,
  onlyPlaceholder,
  parseJson,
  parseTemplate,
  placeholderValue,
  type TemplateValues,
} from "@orgloop/sdk";

type Render<Result> = (values: TemplateValues) => Result;

/**
 * Compiles a body template. Placeholders are filled in *parsed* values, so that no value can break
 * out of its place; a string that is nothing but one placeholder takes the value's type; what is
 * missing becomes an empty string (v1alpha1, section 7). A text template is parsed as JSON first,
 * unless `json` is false: then values go in as they are, objects as JSON. Without a template it is
 * `{ event, config, launch_prompt }`, `config` and `launch_prompt` only where there is one. Throws
 * `INVALID_CONFIG` for a text template that is not JSON.
 */
export function bodyRenderer(template: unknown, json: boolean): Render<string> {
  if (template === undefined) return defaultBody;
  if (typeof template === "string" && !json) {
    const parsed = parseTemplate(template);
    return (values) => fillTemplate(parsed, values);
  }
  const render = compile(typeof template === "string" ? parseBody(template) : template);
  return (values) => JSON.stringify(render(values));
}

function defaultBody({ event, config = {}, prompt }: TemplateValues): string {
  const hasConfig = Object.keys(config).length > 0;
  return JSON.stringify({ event, ...(hasConfig && { config }), launch_prompt: prompt?.text });
}

function parseBody(template: string): unknown {
  try {
    return parseJson(template);
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CONFIG",
      `body_template: not JSON (${messageOf(cause)}). Write placeholders inside strings ("{{event.payload}}" keeps its type), or set another content-type header`,
      { cause },
    );
  }
}

function compile(template: unknown): Render<unknown> {
  if (typeof template === "string") {
    const parsed = parseTemplate(template);
    const only = onlyPlaceholder(parsed);
    if (only !== undefined) return (values) => placeholderValue(only, values);
    return (values) => fillTemplate(parsed, values);
  }
  if (Array.isArray(template)) {
    const items = template.map(compile);
    return (values) => items.map((render) => render(values));
  }
  if (!isMapping(template)) return () => template;
  const entries = Object.entries(template).map(([key, value]) => [key, compile(value)] as const);
  return (values) => Object.fromEntries(entries.map(([key, render]) => [key, render(values)]));
}
