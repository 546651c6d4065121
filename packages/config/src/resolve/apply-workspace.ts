import { describeIssue, suggestion, withoutConsequences } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { mayBeUnread, type Unread } from "../read/yaml/unread.ts";
import { ITEM_SCHEMAS } from "../schema/item-schemas.ts";
import { type Declaration, type Declarations, ITEM_KINDS, identityOf } from "./declarations.ts";
import { mergeDeep } from "./effective-delivery.ts";
import type { Findings } from "./findings.ts";
import { placed } from "./layer.ts";
import type { SourceDocument } from "./source-document.ts";

/**
 * The items with the workspace's overrides laid over them, by id or name. An override of what does
 * not exist, or that makes an item invalid, is an error at its place. The former is not reported
 * for what may be unread.
 */
export function applyWorkspace(
  declarations: Declarations,
  workspace: SourceDocument | undefined,
  unread: Unread,
  findings: Findings,
): Declarations {
  if (workspace === undefined || !isMapping(workspace.value)) return declarations;
  const applied: Record<string, unknown[]> = { ...declarations } as never;
  for (const kind of ITEM_KINDS) {
    const overrides = workspace.value[`${kind}s`];
    if (!isMapping(overrides)) continue;
    const wanted = new Map(Object.entries(overrides));
    const known = new Set<string>();
    applied[kind] = (declarations[kind] as Declaration[]).map((item) => {
      known.add(item.name);
      const over = wanted.get(item.name);
      return isMapping(over) ? overridden(item, over, workspace, findings) : item;
    });
    for (const name of wanted.keys()) {
      if (known.has(name) || mayBeUnread(unread, name)) continue;
      findings.errors.push({
        document: workspace,
        path: [`${kind}s`, name],
        at: "key",
        code: "unknown-override",
        message: `there is no ${kind} "${name}" to change${suggestion(name, [...known], `${kind}s`)}`,
      });
    }
  }
  return applied as unknown as Declarations;
}

function overridden(
  item: Declaration,
  over: Record<string, unknown>,
  workspace: SourceDocument,
  findings: Findings,
): Declaration {
  const layer = { document: workspace, path: [`${item.kind}s`, item.name] };
  const identity = identityOf(item.kind);
  if (over[identity] !== undefined) {
    const message = `a workspace cannot change the ${identity} of ${item.kind} "${item.name}"`;
    const path = [...layer.path, identity];
    findings.errors.push({ document: workspace, path, at: "key", code: "fixed-name", message });
  }
  const value = mergeDeep(item.value, { ...over, [identity]: undefined }) as Declaration["value"];
  const layers: Declaration["layers"] = [layer, ...item.layers];
  const issues = ITEM_SCHEMAS[item.kind].safeParse(value).error?.issues ?? [];
  for (const { path, ...issue } of withoutConsequences(
    issues.flatMap((one) => describeIssue(one, value, true)),
  )) {
    findings.errors.push({ ...placed(layers, path), ...issue });
  }
  const { kind, name, scope } = item;
  return { kind, name, value, layers, scope, enabled: value.enabled !== false };
}
