// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { knownSecrets } from "@orgloop/engine";
import { expect, test } from "vitest";
import { secrets } from "./secrets.ts";

test("what a secret brings into a URL, or under a secret's name, is masked from then on", async () => {
  const parameters = new Map([
    ["/p/HOOK/value", "hook-token-0123"],
    ["/p/KEY/value", "key-0123456789"],
    ["/p/TEAM/value", "platform-team"],
  ]);
  const known = knownSecrets();
  const { resolve } = secrets({ prefix: "/p/", read: async () => parameters, now: () => 0, known });
  const config = { url: "https://h.example/x?t=${HOOK}", api_key: "${KEY}", team: "${TEAM}" };
  const said = Object.values(await resolve('route "r"', config)).join(" ");
  expect(known.mask(said)).toBe("https://h.example/x?t=*** *** platform-team");
});
