/** The system's monotonic clock in milliseconds: the same in every process of this machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
