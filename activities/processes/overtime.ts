/** With what a supervised process ends that was told to stop, and did not within its grace: no fault of its own. */
export const overtimeExitCode = 75;
