import {
  fillTemplate,
  isMapping,
  messageOf,
  OrgLoopError,
  onlyPlaceholder,
  PermanentError,
  parseJson,
  parseTemplate,
  placeholderValue,
  type TemplateValues,
} from "@orgloop/sdk";

const AUTHORITY = /^[a-z]+:\/\/[^/?#]*/i;
const DOT_SEGMENT = /(?<=\/)(\.|%2e){1,2}(?=[/?#]|$)/gi;

/**
 * Whether an event could say where a request goes: a placeholder in scheme, host or port
 * (`docs/configuration.md`, Templates). Of a URL that begins with a reference that is known only
 * once it is resolved.
 */
export function steersHost(url: string): boolean {
  const end = AUTHORITY.exec(url)?.[0].length ?? url.length;
  return parseTemplate(url).parts.some((part) => typeof part === "object" && part.offset < end);
}

/**
 * Fills a URL in: values are percent-encoded, so that none reaches beyond its place. Throws
 * `PERMANENT` where a value would be a `..` of the path: encoding does not keep it from climbing.
 */
export function urlRenderer(url: string): (values: TemplateValues) => string {
  const template = parseTemplate(url);
  const dots = dotSegments(url);
  return (values) => {
    const filled = fillTemplate(template, values, (text) =>
      encodeURIComponent(text.toWellFormed()),
    );
    if (dotSegments(filled) === dots) return filled;
    throw new PermanentError("url: a value of the event would be `.` or `..` in the path");
  };
}

const dotSegments = (url: string): number =>
  url
    .replace(AUTHORITY, "")
    .replace(/[?#].*/s, "")
    .match(DOT_SEGMENT)?.length ?? 0;

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
