import { parseLetterFilter, selectLetters, summaryOf, textOf } from "@orgloop/core";
import type { DeadLetterStore } from "@orgloop/sdk";
import { hasCode, messageOf } from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import type { LetterReplays } from "./letter-replays.ts";
import { readJson } from "./read-json.ts";

export interface DeadLettersApiOptions {
  readonly deadLetters: DeadLetterStore;
  readonly replays: LetterReplays;
  /** Aborted when intake stops. */
  readonly stop: AbortSignal;
}

/**
 * `/control/dead-letters` (`spec/cli.md`): `GET /` lists, `GET /:id` shows, `POST /replay` and `POST /purge` take a filter as JSON
 * (`ids`, `route`, `actor`, `reason`, `since`, `until`), a replay also `dry_run` and `rate`.
 */
export function deadLettersApi({ deadLetters, replays, stop }: DeadLettersApiOptions): Hono {
  const api = new Hono();
  api.onError(answerError);
  const select = async (filter: Readonly<Record<string, unknown>>) => {
    const wanted = parseLetterFilter(filter);
    return selectLetters(await deadLetters.list(), wanted);
  };
  api.get("/", async (c) => c.json((await select(c.req.query())).map(summaryOf)));
  api.get("/:id", async (c) => {
    const id = c.req.param("id");
    const letter = await deadLetters.get(id);
    return letter === null ? c.json({ error: `no dead letter "${id}"` }, 404) : c.json(letter);
  });
  api.post("/replay", async (c) => {
    const body = await readJson(c.req.raw);
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
    const letters = await select(await readJson(c.req.raw));
    const ids = letters.map(({ id }) => id).filter((id) => !replays.isUnderWay(id));
    await deadLetters.remove(ids);
    return c.json({ purged: ids.length, under_way: letters.length - ids.length });
  });
  return api;
}

const BAD_REQUESTS = ["INVALID_FILTER", "INVALID_RATE", "INVALID_JSON"];

/** What the caller wrote wrongly is a 400. */
export function answerError(error: Error, c: Context): Response {
  const bad = BAD_REQUESTS.some((code) => hasCode(error, code));
  return c.json({ error: messageOf(error) }, bad ? 400 : 500);
}
