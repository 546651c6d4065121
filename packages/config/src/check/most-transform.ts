/** How long a transform may take with one event, in ms: the router has 30 s for a batch. */
export const MOST_TRANSFORM_MS = 20_000;
