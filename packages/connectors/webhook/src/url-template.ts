import { fillTemplate, PermanentError, parseTemplate, type TemplateValues } from "@orgloop/sdk";

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
