import {
  fillTemplate,
  type OrgLoopEvent,
  type Prompt,
  parseTemplate,
  type RouteSpec,
  type Template,
  type TemplateValues,
} from "@orgloop/sdk";

/** What of a route is filled in from an event. */
export interface RouteTemplates {
  readonly route: string;
  /** `then.config`. */
  readonly config: Config;
  readonly prompt?: Prompt | undefined;
}

/** What an actor gets. */
export interface FilledRoute {
  readonly config: Config;
  readonly prompt?: Prompt;
}

/** Told of a path that leads nowhere in an event. */
export type OnMissing = (route: string, path: string) => void;

type Config = RouteSpec["then"]["config"];

/** The templates among the texts at the top level of a config. */
interface ConfigTemplates {
  readonly texts: readonly (readonly [key: string, template: Template])[];
  /** Whether one of them has the prompt in it. */
  readonly usePrompt: boolean;
}

// Configs and prompts live as long as their topology, and each is read once.
const configs = new WeakMap<Config, ConfigTemplates>();
const prompts = new WeakMap<Prompt, Template>();

/**
 * A route's `then.config` and prompt for one event (`docs/configuration.md`, Templates):
 * placeholders in the texts at the config's top level are filled in, nested values stay as they are
 * (v1alpha1, section 4); so does a prompt, unless its front matter says `interpolate: true`. Never
 * throws for what stands in them.
 */
export function fillRoute(
  { route, config, prompt }: RouteTemplates,
  event: OrgLoopEvent,
  onMissing?: OnMissing,
): FilledRoute {
  const templates = templatesOf(config);
  const values: TemplateValues = {
    event,
    route,
    ...(onMissing && { onMissing: (path) => onMissing(route, path) }),
  };
  if (prompt === undefined) return { config: filledConfig(config, templates, values) };
  if (!isTemplate(prompt)) {
    return { config: filledConfig(config, templates, { ...values, prompt }), prompt };
  }
  // Each may have the other in it: for the prompt, the config has no prompt.
  const { onMissing: _, ...uncounted } = values;
  const before = filledConfig(config, templates, templates.usePrompt ? uncounted : values);
  const text = fillTemplate(promptTemplate(prompt), { ...values, config: before });
  const filled = { ...prompt, text };
  if (!templates.usePrompt) return { config: before, prompt: filled };
  return { config: filledConfig(config, templates, { ...values, prompt: filled }), prompt: filled };
}

/**
 * Whether a prompt's text is filled in: payloads are other people's text, so only where its author
 * says so.
 */
export function isTemplate({ meta }: Pick<Prompt, "meta">): boolean {
  return meta?.interpolate === true;
}

function filledConfig(config: Config, { texts }: ConfigTemplates, values: TemplateValues): Config {
  if (texts.length === 0) return config;
  const filled = { ...config };
  for (const [key, template] of texts) filled[key] = fillTemplate(template, values);
  return filled;
}

function templatesOf(config: Config): ConfigTemplates {
  const known = configs.get(config);
  if (known !== undefined) return known;
  const texts = Object.entries(config).flatMap(([key, value]): [string, Template][] =>
    typeof value === "string" && value.includes("{{") ? [[key, parseTemplate(value)]] : [],
  );
  const usePrompt = texts.some(([, { parts }]) => parts.some(holdsPrompt));
  const templates = { texts, usePrompt };
  configs.set(config, templates);
  return templates;
}

function holdsPrompt(part: Template["parts"][number]): boolean {
  return typeof part === "object" && /^(launch_)?prompt$/.test(part.segments[0] ?? "");
}

function promptTemplate(prompt: Prompt): Template {
  const known = prompts.get(prompt);
  if (known !== undefined) return known;
  const template = parseTemplate(prompt.text);
  prompts.set(prompt, template);
  return template;
}
