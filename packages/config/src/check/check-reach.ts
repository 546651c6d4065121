import {
  type DocumentPath,
  holdsReference,
  isPrivateHost,
  reachOf,
  valueAt,
} from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { at, type Declarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";

/**
 * The host of an http URL as it is written: also where a reference stands in for its port, path or
 * credentials, and with the spaces and slashes that the URL standard takes.
 */
const URL_HOST = /^\s*https?:[/\\]*(?:[^/\\?#]*@)?(\[[^\]]*\]|[^/\\?#:[\]]+)/i;

/**
 * On `sqs`, functions reach no private address that `network.allow_private` does not list: an error
 * at each URL of a source or actor whose host is written out and private (`docs/configuration.md`,
 * Reach). What a name stands for is known only when it is asked for.
 */
export function checkReach(
  settings: readonly SourceDocument[],
  { source, actor }: Declarations,
  findings: Findings,
): void {
  const listed = settings
    .map(({ value }) => valueAt(value, ["network", "allow_private"]))
    .find((one) => one !== undefined);
  const reach = reachOf(
    Array.isArray(listed) ? listed.filter((one) => typeof one === "string") : [],
  );
  for (const item of [...source, ...actor]) {
    if (!item.enabled) continue;
    for (const [path, host] of hostsIn(item.value.config, ["config"])) {
      if (!isPrivateHost(host, reach)) continue;
      const message = `on sqs the private host ${host} is not reached: list it in network.allow_private, or use one that is public`;
      findings.errors.push({ ...at(item, path), at: "value", code: "private-host", message });
    }
  }
}

/** The hosts of the URLs in `value`, in the form that a connection would have them. */
function hostsIn(value: unknown, path: DocumentPath): [DocumentPath, string][] {
  if (typeof value === "string") {
    const [, written = ""] = URL_HOST.exec(value) ?? [];
    if (written === "" || holdsReference(written)) return [];
    const host = URL.parse(`http://${written}`)?.hostname;
    return host === undefined ? [] : [[path, host]];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => hostsIn(item, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => hostsIn(item, [...path, key]));
}
