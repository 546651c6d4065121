import { repeatPolicy } from "@orgloop/engine";
import { messageOf, type SourceSpec } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { Secrets } from "../functions/secrets.ts";
import { type RepeatRules, type RepeatRulesOptions, repeatRules } from "./admit-publication.ts";

type Rule = Pick<SourceSpec, "repeat_window" | "repeats">;

/**
 * `repeatRules` with references resolved. What is not set, or is no duration, is logged, and counts
 * as if it were not written: it is no reason to route nothing. Rejects where secrets cannot be read
 * now.
 */
export async function resolvedRepeats(
  { topology: { sources, defaults }, ...rest }: RepeatRulesOptions,
  { secrets, flow }: { readonly secrets: Pick<Secrets, "resolveEach">; readonly flow: FlowLog },
): Promise<RepeatRules> {
  const [ofDefaults, ...ofSources] = await secrets.resolveEach<Rule>([
    { item: "defaults", value: ruleOf(defaults) },
    ...sources.map((source) => ({ item: `source "${source.id}"`, value: ruleOf(source) })),
  ]);
  const usable = (rule: Rule | Error | undefined, about: { readonly source?: string }): Rule => {
    try {
      if (rule instanceof Error) throw rule;
      repeatPolicy(rule ?? {}, {}, undefined);
      return rule ?? {};
    } catch (error) {
      flow.log({ ...about, phase: "system.error", error: `repeats: ${messageOf(error)}` });
      return {};
    }
  };
  return repeatRules({
    ...rest,
    topology: {
      defaults: withRule(defaults, usable(ofDefaults, {})),
      sources: sources.map((source, at) =>
        withRule(source, usable(ofSources[at], { source: source.id })),
      ),
    },
  });
}

function ruleOf({ repeat_window, repeats }: Rule): Rule {
  return { ...(repeat_window !== undefined && { repeat_window }), ...(repeats && { repeats }) };
}

function withRule<Spec extends Rule>(spec: Spec, rule: Rule): Omit<Spec, keyof Rule> & Rule {
  const { repeat_window: _, repeats: __, ...rest } = spec;
  return { ...rest, ...rule };
}
