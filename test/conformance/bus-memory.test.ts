import { memoryBus } from "@orgloop/bus/memory";
import { busSuite } from "@orgloop/testkit";

busSuite({ name: "memory", open: async () => memoryBus() });
