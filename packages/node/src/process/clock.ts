export {
  type Clock,
  callAt,
  systemClock,
  waitUntil,
  wallTime,
  watchedClock,
} from "@orgloop/engine";
