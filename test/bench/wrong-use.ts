/** What the user asked for cannot be had; the message says what was expected. */
export class WrongUse extends Error {}
