export { type Clock, callAt, systemClock, waitUntil, wallTime } from "@orgloop/host";
