import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  dynamoClaims,
  dynamoDeadLetters,
  dynamoRouteStates,
  type StateTable,
} from "@orgloop/aws/state";
import { dynamoInboxes } from "@orgloop/aws/state/inboxes";
import type { DeadLetterStore, InboxStore, RouteStateStore } from "@orgloop/sdk";
import {
  claimSuite,
  deadLetterSuite,
  inboxSuite,
  memoryObjects,
  routeStateSuite,
} from "@orgloop/testkit";
import { afterAll, inject } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";

const client = new DynamoDBClient(clientConfig(inject("aws")));
afterAll(() => client.destroy());

const tables = new WeakMap<object, StateTable>();
const objects = memoryObjects();

/** Each store has a table of its own; a reopened one has the table of the one before. */
function harness<Store extends object>(make: (state: StateTable) => Store) {
  const opened = (state: StateTable) => {
    const store = make(state);
    tables.set(store, state);
    return store;
  };
  return {
    name: "dynamodb",
    open: async () => {
      const table = `orgloop-conformance-${randomUUID()}`;
      await createStateTable(client, table);
      return opened({ client, table });
    },
    reopen: async (store: Store) => opened(tables.get(store) as StateTable),
  };
}

claimSuite(harness((state) => dynamoClaims(state)));
deadLetterSuite(harness<DeadLetterStore>((state) => dynamoDeadLetters({ ...state, objects })));
routeStateSuite(harness<RouteStateStore>((state) => dynamoRouteStates({ ...state })));
inboxSuite(harness<InboxStore>((state) => dynamoInboxes({ ...state, objects })));
