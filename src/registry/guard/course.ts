/** A number in the course of time, as far as its maximum of a while follows from it. Times are milliseconds of one clock. */
export interface Course {
  readonly value: number;
  /** What was higher before, falling. */
  readonly past: readonly Height[];
}

interface Height {
  readonly value: number;
  /** When it ended, and until when it counts as if it had not: small steps down are taken for one. */
  readonly endedMs: number;
  readonly untilMs: number;
}

export const steady = (value: number): Course => ({ value, past: [] });

/** So many parts of the while are told apart, which bounds what is remembered. */
const parts = 32;

/** The course when the number becomes `value` now; what ended more than `windowMs` ago is forgotten. */
export function movedTo(course: Course, value: number, nowMs: number, windowMs: number): Course {
  const past = course.past.filter((each) => each.value > value && each.untilMs > nowMs - windowMs);
  if (course.value <= value) return { value, past };
  const last = past.at(-1);
  return last !== undefined && nowMs - last.endedMs < windowMs / parts
    ? { value, past: [...past.slice(0, -1), { ...last, untilMs: nowMs }] }
    : { value, past: [...past, { value: course.value, endedMs: nowMs, untilMs: nowMs }] };
}

/** The highest value after `sinceMs`. */
export const peakOf = ({ value, past }: Course, sinceMs: number): number =>
  past.find(({ untilMs }) => untilMs > sinceMs)?.value ?? value;
