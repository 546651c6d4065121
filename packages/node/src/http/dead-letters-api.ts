import { type DeadLetterFilter, letterSelection, parseLetterFilter, textOf } from "@orgloop/engine";
import {
  type DeadLetterStore,
  type DeadLetterSummary,
  hasCode,
  messageOf,
  OrgLoopError,
  type PlacedLetter,
  summaryOf,
} from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import type { LetterReplays } from "../replay/letter-replays.ts";
import { jsonStream } from "./json-stream.ts";
import { readJson } from "./read-json.ts";

export interface DeadLettersApiOptions {
  readonly deadLetters: DeadLetterStore;
  readonly replays: LetterReplays;
  /** Aborted when intake stops. */
  readonly stop: AbortSignal;
}

const MAX_PAGE = 1_000;

/**
 * `/control/dead-letters` (`docs/commands.md`): `GET /` lists, with `limit` (at most 1000) a page
 * `{ letters, next }`, which goes on at `after` (`next` of the page before; null: that was the
 * last); `GET /:id` shows, `POST /replay` and `POST /purge` take a filter as JSON (`ids`, `route`,
 * `actor`, `reason`, `since`, `until`), a replay also `dry_run` and `rate`.
 */
export function deadLettersApi({ deadLetters, replays, stop }: DeadLettersApiOptions): Hono {
  const api = new Hono();
  api.onError(answerError);
  const select = (body: Readonly<Record<string, unknown>>) =>
    Array.fromAsync(selected(deadLetters, parseLetterFilter(body)));
  api.get("/", async (c) => {
    const { limit, after, ...query } = c.req.query();
    const filter = parseLetterFilter(query);
    const from = after === undefined ? 0 : whole("after", after, Number.MAX_SAFE_INTEGER);
    if (limit !== undefined) {
      return c.json(await page(deadLetters, filter, from, whole("limit", limit, MAX_PAGE)));
    }
    const letters = selected(deadLetters, filter, from);
    return c.body(jsonStream(summaries(letters)), 200, { "content-type": "application/json" });
  });
  api.get("/:id", async (c) => {
    const id = c.req.param("id");
    const letter = await deadLetters.get(id);
    return letter === null ? c.json({ error: `no dead letter "${id}"` }, 404) : c.json(letter);
  });
  api.post("/replay", async (c) => {
    const body = await readJson(c);
    const letters = await select(body);
    const { rate } = textOf(body, "rate");
    const matched = letters.length;
    if (body.dry_run === true) {
      const refused = letters.flatMap((letter) => {
        const error = replays.refusal(letter);
        return error === null ? [] : [{ id: letter.id, error }];
      });
      return c.json({ dry_run: true, matched, refused });
    }
    if (stop.aborted) {
      return c.json({ error: "the process is stopping" }, 503, { "retry-after": "5" });
    }
    return c.json({ dry_run: false, matched, ...replays.start(letters, rate) });
  });
  api.post("/purge", async (c) => {
    const letters = await select(await readJson(c));
    const ids = letters.map(({ id }) => id).filter((id) => !replays.isInFlight(id));
    await deadLetters.remove(ids);
    return c.json({ purged: ids.length, under_way: letters.length - ids.length });
  });
  return api;
}

async function* selected(
  deadLetters: DeadLetterStore,
  filter: DeadLetterFilter,
  after = 0,
): AsyncGenerator<PlacedLetter> {
  const isWanted = letterSelection(filter);
  for await (const letter of deadLetters.list(after)) if (isWanted(letter)) yield letter;
}

async function* summaries(letters: AsyncIterable<PlacedLetter>): AsyncGenerator<DeadLetterSummary> {
  for await (const letter of letters) yield summaryOf(letter);
}

async function page(
  deadLetters: DeadLetterStore,
  filter: DeadLetterFilter,
  after: number,
  limit: number,
): Promise<{ readonly letters: readonly DeadLetterSummary[]; readonly next: number | null }> {
  const letters: DeadLetterSummary[] = [];
  let last = after;
  for await (const letter of selected(deadLetters, filter, after)) {
    if (letters.length === limit) return { letters, next: last };
    letters.push(summaryOf(letter));
    last = letter.position;
  }
  return { letters, next: null };
}

/** Throws `INVALID_FILTER`. */
function whole(key: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  const message = `${key}: found "${text}", expected a whole number of at most ${most}`;
  throw new OrgLoopError("INVALID_FILTER", message);
}

const BAD_REQUESTS = ["INVALID_FILTER", "INVALID_RATE", "INVALID_JSON"];

/** What the caller wrote wrongly is a 400. */
export function answerError(error: Error, c: Context): Response {
  const bad = BAD_REQUESTS.some((code) => hasCode(error, code));
  return c.json({ error: messageOf(error) }, bad ? 400 : 500);
}
