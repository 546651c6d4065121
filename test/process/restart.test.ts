import { expect, test } from "vitest";
import { eventually, receiver, runDelivery } from "./delivery-project.ts";

test("an open breaker is open after a restart: nothing is sent before its time but one probe", async () => {
  let healthy = false;
  const agent = await receiver(() => ({ status: healthy ? 204 : 500 }));
  const delivery = {
    order: "route",
    retry: { max_attempts: 4, initial_delay: "20ms" },
    circuit_breaker: { failure_threshold: 2, cooldown: "4s", max_cooldown: "8s" },
  };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  await project.postAll("agent", 5);
  const [opened] = await eventually(async () => {
    const found = await project.log("circuit.open");
    expect(found).toHaveLength(1);
    return found;
  });
  const until = Date.parse(String(opened?.metadata?.until));
  const before = agent.arrivals.length;
  await project.restart();
  healthy = true;
  await eventually(() => expect(agent.accepted).toEqual([0, 1, 2, 3, 4]));
  await eventually(async () => expect(await project.log("circuit.close")).toHaveLength(1));
  const attempts = await project.log("deliver.attempt");
  const after = attempts.slice(before);
  expect(Date.parse(after[0]?.timestamp ?? "")).toBeGreaterThanOrEqual(until - 5);
  expect(await project.log("circuit.half_open")).toHaveLength(1);
  expect(await project.deadLetters()).toEqual([]);
});

test("410 is a dead letter, and a warning that names the actor", async () => {
  const agent = await receiver(() => ({ status: 410 }));
  const project = await runDelivery([{ id: "agent", url: agent.url }]);
  await project.postAll("agent", 1);
  await eventually(async () => expect(await project.deadLetters()).toHaveLength(1));
  await eventually(async () => {
    const entries = await project.log();
    const warning = entries.find(
      ({ phase, target, error }) =>
        phase === "alert" && (target === "agent" || error?.includes("agent")),
    );
    expect(warning, JSON.stringify(entries.map(({ phase }) => phase))).toBeDefined();
  });
});

test("attempts that a drain gave up on do not open the breaker", async () => {
  const agent = await receiver(() => new Promise(() => {}));
  const delivery = {
    order: "none",
    concurrency: 4,
    timeout: "60s",
    circuit_breaker: { failure_threshold: 2, cooldown: "60s" },
  };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  await project.postAll("agent", 4);
  await eventually(() => expect(agent.arrivals).toHaveLength(4));
  await project.restart();
  expect(await project.log("circuit.open")).toEqual([]);
  await eventually(() => expect(agent.arrivals).toHaveLength(8));
});
