export interface CampaignResult {
  /** What was done, and what was counted, in one line. */
  readonly said: string;
  /** Each promise that was broken; empty where all held. */
  readonly faults: readonly string[];
  /** Folders with what the faults were found by. */
  readonly kept?: readonly string[];
}

/**
 * A fault campaign: goes on with another round while `more()`, and at least for one. The tests run
 * it for a few rounds, `npm run campaign` for as long as is asked. What a fault was found by is
 * kept in a folder of its own in `keepIn`.
 */
export type Campaign = (more: () => boolean, keepIn?: string) => Promise<CampaignResult>;

/** Of the checkout, which git ignores. */
export const KEPT_HERE = ".orgloop/campaign";
