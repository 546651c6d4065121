import { setTimeout } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { busGrouping, routesBySource } from "@orgloop/engine";
import { OrgLoopError, parseJson, type Topology } from "@orgloop/sdk";
import pLimit from "p-limit";
import { dynamoAppliedState, topologyKey } from "../state/applied-state.ts";
import { dynamoSourceEpochs, nextEpochs, type SourceEpochs } from "../state/source-epochs.ts";
import { dynamoGroupings } from "../state/source-groupings.ts";
import type { StateTable } from "../state/state-table.ts";
import { DRAINING_KEY, type DrainingActors } from "./draining.ts";

/** Writes at once. */
const TOGETHER = 50;
const ATTEMPTS = 12;
const PAUSE_MS = 5_000;

export interface RecordApplied {
  readonly s3: S3Client;
  readonly state: StateTable;
  /** The stage's bucket. */
  readonly bucket: string;
  readonly now: () => number;
}

/** What a deploy hands over, among CloudFormation's assets. */
export interface AppliedDocument {
  readonly topology: Topology;
  readonly hash: string;
  readonly draining: DrainingActors;
}

/**
 * Records what a deploy has applied: the Topology under its hash, the actors that drain, which
 * sources began anew, then serial and hash. The same deploy recorded twice counts once. `from` is
 * the `s3://BUCKET/KEY` of an `AppliedDocument`.
 */
export async function recordApplied(
  { s3, state, bucket, now }: RecordApplied,
  from: string,
): Promise<void> {
  const text = await readWhenAllowed(s3, from);
  const { topology, hash, draining } = parseJson(text) as AppliedDocument;
  const put = (key: string, value: unknown) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(value) }));
  await put(topologyKey(hash), topology);
  await put(DRAINING_KEY, draining);
  const applied = dynamoAppliedState(state);
  const before = await applied.read();
  if (before?.hash === hash) return;
  const lives = dynamoSourceEpochs(state);
  const known = await lives.read();
  await beginGroupings(topology, known, state);
  await lives.write(nextEpochs(known, topology.sources));
  const applied_at = new Date(now()).toISOString();
  await applied.write({ serial: (before?.serial ?? 0) + 1, hash, applied_at });
}

/** Of sources that were never here, the bus holds nothing: they are grouped as they are to be. */
async function beginGroupings(
  { sources, routes }: Topology,
  known: SourceEpochs,
  state: StateTable,
): Promise<void> {
  const groupings = dynamoGroupings(state);
  const routesOf = routesBySource(routes);
  const limit = pLimit(TOGETHER);
  await limit.map(sources, async (source) => {
    if (known[source.id] !== undefined) return;
    const { by } = busGrouping(source, routesOf.get(source.id) ?? []);
    if (by === "key") await groupings.begin(source.id, by);
  });
}

/**
 * What a deploy has just granted to a role is in force some seconds later (AWS, IAM, eventual
 * consistency).
 */
async function readWhenAllowed(s3: S3Client, from: string): Promise<string> {
  const { hostname: Bucket, pathname } = new URL(from);
  for (let left = ATTEMPTS; ; left--) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: pathname.slice(1) }));
      const text = await Body?.transformToString();
      if (text) return text;
      throw new OrgLoopError("INVALID_STATE", `${from} is empty`);
    } catch (error) {
      if (left === 1 || !(error instanceof Error && error.name === "AccessDenied")) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}
