import { expect, test } from "vitest";
import { githubSourceConfig } from "./config.ts";
import { githubSource } from "./github-source.ts";
import { HELLO, NOW } from "./polling-host.ts";

test("nothing is asked but by the host's fetch, which says what may be reached", async () => {
  const asked: string[] = [];
  const refusal = Object.assign(new Error("10.0.0.1, a private address, is not reached"), {
    code: "PRIVATE_ADDRESS",
  });
  const config = { repo: HELLO, base_url: "http://10.0.0.1/api/v3", events: ["issues.opened"] };
  const context = {
    id: "hub",
    now: () => NOW,
    warn: () => undefined,
    fetch: async (url: string | URL | Request) => {
      asked.push(String(url));
      throw new TypeError("fetch failed", { cause: refusal });
    },
  };
  const source = githubSource(githubSourceConfig.parse(config), context, { retryDelayMs: 1 });
  const { signal } = new AbortController();
  const pages = source.poll?.(null, { signal, deadlineMs: Number.POSITIVE_INFINITY });
  const error = await Array.fromAsync(pages ?? []).catch((thrown: Error) => thrown);
  expect(String(error)).toContain("a private address, is not reached");
  expect(asked[0]).toContain("http://10.0.0.1/api/v3/repos/");
});
