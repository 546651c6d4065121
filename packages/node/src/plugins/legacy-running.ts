import {
  type Actor,
  type EventDraft,
  type Logger,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  PermanentError,
  type Prompt,
  parseJson,
  type Source,
  type SourcePage,
  type Transform,
} from "@orgloop/sdk";
import type {
  LegacyActor,
  LegacyEvent,
  LegacyLogger,
  LegacySource,
  LegacyTransform,
} from "./legacy-interfaces.ts";
import { callWebhookHandler } from "./legacy-webhook.ts";

/**
 * A source of 0.7.9. Many of them empty a buffer when they are polled, so what a poll gave is kept
 * until the host asks for more, which it does once it has the page; otherwise the next poll begins
 * with it.
 */
export function legacySource(source: LegacySource, id: string, platform: string): Source {
  const draftOf = ({ id: eventId, timestamp, type, provenance, payload, trace_id }: LegacyEvent) =>
    ({
      ...(eventId === undefined ? {} : { id: eventId }),
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(type === undefined ? {} : { type }),
      ...(trace_id === undefined ? {} : { trace_id }),
      provenance: provenance ?? { platform },
      payload: payload ?? {},
    }) satisfies EventDraft;
  let given: SourcePage | undefined;
  const handler = source.webhook?.();
  return {
    async *poll(checkpoint) {
      let current = checkpoint;
      if (given !== undefined) {
        current = given.checkpoint;
        yield given;
      }
      given = undefined;
      const { events, checkpoint: next = current ?? "" } = await source.poll(current);
      if (events.length === 0 && next === current) return;
      given = { events: events.map(draftOf), checkpoint: next };
      yield given;
      given = undefined;
    },
    ...(handler && {
      receive: async (request) => (await callWebhookHandler(handler, id, request)).map(draftOf),
    }),
    close: async () => source.shutdown?.(),
  };
}

/** A copy of its own, of what JSON can say: numbers stay as they were written. */
const copyOf = (event: OrgLoopEvent) => parseJson(JSON.stringify(event)) as OrgLoopEvent;

/**
 * An actor of 0.7.9: `rejected` is permanent, `error` is tried again. It gets a copy of the event,
 * which it may change.
 */
export function legacyActor(actor: LegacyActor): Actor {
  return {
    async deliver(event, { config, prompt }) {
      const result = await actor.deliver(copyOf(event), {
        ...config,
        ...(prompt && launchPrompt(prompt)),
      });
      const why = messageOf(result?.error ?? result?.reason ?? "no reason given");
      switch (result?.status) {
        case "delivered":
          return { status: "delivered" };
        case "skipped":
          return { status: "skipped", ...(result.reason && { reason: result.reason }) };
        case "rejected":
          throw new PermanentError(why, { cause: result.error });
        default:
          throw new OrgLoopError("DELIVERY_FAILED", why, { cause: result?.error });
      }
    },
    close: async () => actor.shutdown?.(),
  };
}

/** v1alpha1, section 4. */
function launchPrompt({ text, file, meta }: Prompt) {
  return { launch_prompt: text, launch_prompt_file: file, launch_prompt_meta: meta };
}

export function legacyTransform(transform: LegacyTransform): Transform {
  return {
    async execute(event, { route, actor }) {
      const context = {
        source: event.source,
        target: actor,
        eventType: event.type,
        routeName: route,
      };
      return (await transform.execute(copyOf(event), context)) ?? null;
    },
    close: async () => transform.shutdown?.(),
  };
}

/**
 * A logger of 0.7.9, which expects an event and a trace in every entry. What it throws is its own
 * affair.
 */
export function legacyLogger(logger: LegacyLogger): Logger {
  return {
    log(entry) {
      const write = async () => logger.log({ event_id: "", trace_id: "", ...entry });
      write().catch(() => undefined);
    },
    flush: async () => logger.flush?.(),
    close: async () => logger.shutdown?.(),
  };
}
