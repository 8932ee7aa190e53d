/** An error that a plugin returns on purpose, or that the host answers with. */
export class Failure extends Error {
  constructor(code, message, details = null) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.details = details;
  }
}
