/** What a caller, which is a process of its own, says on its channel. */

/** Of `list_caller.ts`. */
export type ListMessage =
  | { readonly said: 'ready' }
  /** ns that each call took since it was told to go. */
  | { readonly said: 'halted'; readonly times: readonly number[] };

/** Of `followers.ts`. */
export type FollowerMessage =
  | { readonly said: 'ready' }
  /** Messages so far: of the follower that had the fewest, for each of the paths. */
  | { readonly said: 'report'; readonly fewest: readonly number[] };
