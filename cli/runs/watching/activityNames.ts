/** What an activity is doing, by its registered name; others are named by it. */
export const activityNames: Readonly<Record<string, string>> = {
  fetchBundle: 'fetching',
  extractBundle: 'extracting',
  packDataset: 'packing',
  packFiles: 'storing',
  branchMember: 'branching',
  evaluateShard: 'measuring',
  evaluate: 'putting together',
  planEvaluation: 'listing',
};
