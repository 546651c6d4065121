import type { LogEntry, OrgLoopEvent } from "@orgloop/sdk";

/**
 * Why what goes to an actor looks as if the event's content steered it (v1alpha1, section 4: output
 * validator).
 */
export interface AuditFlag {
  readonly type: "instruction_content" | "input_echo" | "scope_violation";
  readonly severity: "warning" | "critical";
  readonly message: string;
}

export interface AuditedOutput {
  /** `then.config` as the route has it. */
  readonly template: Readonly<Record<string, unknown>>;
  /** The same, filled in from the event. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly event: OrgLoopEvent;
  /**
   * Front matter of the route's prompt; its `allowed_domains` are the URLs that the actor is meant
   * to see.
   */
  readonly promptMeta?: Readonly<Record<string, unknown>> | null;
}

/** Characters that are looked at; what is longer is judged by its beginning. */
const MAX_TEXT = 64 * 1024;
const MAX_ECHO = 16 * 1024;
const MIN_ECHO_LENGTH = 20;
const ECHO_WARNING = 0.7;
const ECHO_CRITICAL = 0.9;

/**
 * Over text in lower case whose white space is single spaces, so that none of them has two
 * neighbouring repetitions to try out: their time is linear.
 */
const INSTRUCTIONS: readonly RegExp[] = [
  /\bignore (all )?previous instructions\b/,
  /\byou are now\b/,
  /\bsystem ?:/,
  /\b(new|override|updated?) instructions?\b/,
  /\b(execute|run) (this|the following) (command|code|script)\b/,
  /\bmodify your (instructions?|behavior|prompt)\b/,
  /\[inst\]/,
  /<< ?sys ?>>/,
  /\bbase64 ?[:=] ?[a-z0-9+/=]{20}/,
];
const SHELL: readonly RegExp[] = [
  /\b(curl|wget|ssh|scp|rsync) /,
  /\brm -rf\b/,
  /\bsudo /,
  /\bchmod [0-7]{3,4}\b/,
  /\| ?(bash|sh|zsh)\b/,
];
const URLS = /https?:\/\/[^\s"'<>)}\]]+/gi;
const MAX_URLS = 100;

/**
 * Flags for the log; nothing is held back. Judged is what the event has put into `then.config`,
 * since a template's own words are the author's; a route whose config takes nothing from the event
 * costs nothing.
 */
export function auditOutput(output: AuditedOutput): readonly AuditFlag[] {
  const text = filledIn(output);
  if (text === "") return [];
  const plain = text.slice(0, MAX_TEXT);
  const spaced = plain.toLowerCase().replaceAll(/\s+/g, " ");
  return [
    ...matches(INSTRUCTIONS, spaced).map(
      (found): AuditFlag => ({
        type: "instruction_content",
        severity: "critical",
        message: `possible instruction injection: "${found}"`,
      }),
    ),
    ...echo(text, output.event),
    ...outOfScope(plain, spaced, output.promptMeta),
  ];
}

/** A flag as the event log has it. */
export function auditEntry({ type, severity, message }: AuditFlag) {
  const metadata = { flag_type: type, severity };
  return { phase: "audit.flag", result: message, metadata } as const satisfies Partial<LogEntry>;
}

function filledIn({ template, config }: AuditedOutput): string {
  const texts: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === "string" && value !== template[key]) texts.push(value);
  }
  return texts.join("\n");
}

function matches(patterns: readonly RegExp[], text: string): string[] {
  return patterns.flatMap((pattern) => pattern.exec(text)?.[0].trim().slice(0, 100) ?? []);
}

function echo(text: string, { payload }: OrgLoopEvent): AuditFlag[] {
  if (text.length < MIN_ECHO_LENGTH * ECHO_WARNING) return [];
  // No two texts are more alike than their lengths; most payloads are far too long to be written
  // out for this.
  if (charactersIn(payload, text.length / ECHO_WARNING + 1) > text.length / ECHO_WARNING + 1)
    return [];
  const input = JSON.stringify(payload);
  if (input.length < MIN_ECHO_LENGTH) return [];
  const [shorter, longer] = [text.length, input.length].sort((a, b) => a - b) as [number, number];
  if ((shorter - 1) / (longer - 1) < ECHO_WARNING) return [];
  const alike = similarity(text.slice(0, MAX_ECHO), input.slice(0, MAX_ECHO));
  if (alike < ECHO_WARNING) return [];
  const severity = alike >= ECHO_CRITICAL ? "critical" : "warning";
  const message = `what the actor gets is ${Math.round(alike * 100)} % the event's payload`;
  return [{ type: "input_echo", severity, message }];
}

/** The characters of all texts in a value; more than `enough` are not counted. */
function charactersIn(value: unknown, enough: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  for (const inner of Object.values(value)) {
    count += charactersIn(inner, enough - count);
    if (count > enough) break;
  }
  return count;
}

function outOfScope(
  text: string,
  spaced: string,
  meta: AuditedOutput["promptMeta"],
): readonly AuditFlag[] {
  const flag = (message: string): AuditFlag => ({
    type: "scope_violation",
    severity: "warning",
    message,
  });
  const shell = matches(SHELL, spaced).map((found) => flag(`a shell command: "${found}"`));
  const allowed = meta?.allowed_domains;
  if (!Array.isArray(allowed)) return shell;
  const hosts = new Set<string>();
  for (const [url] of text.matchAll(URLS)) {
    hosts.add(URL.parse(url)?.hostname ?? url.slice(0, 100));
    if (hosts.size === MAX_URLS) break;
  }
  const foreign = [...hosts].filter(
    (host) => !allowed.some((domain) => host === domain || host.endsWith(`.${domain}`)),
  );
  return [...shell, ...foreign.map((host) => flag(`a URL outside allowed_domains: ${host}`))];
}

const PAIRS = 2 ** 15;

/**
 * How alike two texts are: pairs of neighbouring characters in common, of all pairs (Jaccard, with
 * counts). 0 to 1. Pairs are told apart by a hash: the few that share one make texts look a little
 * more alike.
 */
function similarity(a: string, b: string): number {
  const counts = new Int16Array(PAIRS);
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  for (let at = 1; at < left.length; at += 1) {
    const pair = pairAt(left, at);
    counts[pair] = (counts[pair] as number) + 1;
  }
  let common = 0;
  for (let at = 1; at < right.length; at += 1) {
    const pair = pairAt(right, at);
    const count = counts[pair] as number;
    if (count === 0) continue;
    common += 1;
    counts[pair] = count - 1;
  }
  const all = left.length - 1 + right.length - 1 - common;
  return all <= 0 ? 0 : common / all;
}

const pairAt = (text: string, at: number): number =>
  (text.charCodeAt(at - 1) * 181 + text.charCodeAt(at)) % PAIRS;
