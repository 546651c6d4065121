export { type Clock, callAt, systemClock, waitUntil } from "@orgloop/host";
