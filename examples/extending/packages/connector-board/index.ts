// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import {
  type Actor,
  defineConnector,
  type EventDraft,
  OrgLoopError,
  PermanentError,
  type PluginContext,
  RetryAfterError,
  type Source,
} from "@orgloop/sdk";
import * as z from "zod";

/** The board shows notes, each with a number, and takes new ones. */
interface Note {
  readonly number: number;
  readonly thread: string;
  readonly text: string;
}

const boardConfig = z
  .strictObject({
    url: z.url().meta({ description: "Where the board is.", examples: ["https://board.example"] }),
    token: z
      .string()
      .min(1)
      .meta({
        secret: true,
        description: "What the board knows us by.",
        examples: ["${BOARD_TOKEN}"],
      }),
  })
  .meta({
    title: "Board",
    description: "Reads the notes of a board, and adds notes to it.",
    examples: [{ url: "https://board.example", token: "${BOARD_TOKEN}" }],
  });
type BoardConfig = z.output<typeof boardConfig>;

export default defineConnector({
  id: "board",
  source: { config: boardConfig, create: async (config, context) => boardSource(config, context) },
  actor: { config: boardConfig, create: async (config, context) => boardActor(config, context) },
});

/** Polls for notes. The checkpoint is the number of the last one. */
function boardSource(config: BoardConfig, { fetch }: PluginContext): Source {
  return {
    async *poll(checkpoint, { signal }) {
      for (let after = Number(checkpoint ?? "0"); ; ) {
        const answer = await fetch(`${config.url}?after=${after}`, {
          headers: { authorization: `Bearer ${config.token}` },
          signal,
        });
        refuse(answer);
        const notes = (await answer.json()) as readonly Note[];
        const last = notes.at(-1);
        if (last === undefined) return;
        after = last.number;
        yield { events: notes.map(draftOf), checkpoint: String(after) };
      }
    },
  };
}

/**
 * The same note is the same event, however often it is seen, since its `identity` is the board's
 * own.
 */
function draftOf(note: Note): EventDraft {
  return {
    identity: `note/${note.number}`,
    ordering_key: note.thread,
    provenance: { platform: "board", platform_event: "note.added" },
    payload: { ...note },
  };
}

/**
 * Adds a note. The board may see a delivery twice and drops the second by its `idempotency-key`.
 */
function boardActor(config: BoardConfig, { fetch }: PluginContext): Actor {
  return {
    async deliver(event, { deliveryId = event.id, config: { text }, signal }) {
      const answer = await fetch(config.url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${config.token}`,
          "content-type": "application/json",
          "idempotency-key": deliveryId,
        },
        body: JSON.stringify({ text: String(text ?? event.id) }),
        signal,
      });
      refuse(answer);
      return { status: "delivered" };
    },
  };
}

/** What is thrown decides: wait as asked, give up for good, or try again as the route says. */
function refuse({ status, headers }: Response): void {
  if (status < 400) return;
  const message = `the board answered ${status}`;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  if (seconds >= 0) throw new RetryAfterError(message, seconds * 1_000);
  if (status < 500 && status !== 408) throw new PermanentError(message);
  throw new OrgLoopError("BOARD_FAILED", message);
}
