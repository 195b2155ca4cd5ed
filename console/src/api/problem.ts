import type { Problem } from "./types";

/** A refusal of the server, or no answer at all (`code` "offline"). `title` is for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly fields: ReadonlyArray<{ field: string; message: string }>;

  constructor(problem: Pick<Problem, "title" | "status" | "code"> & Partial<Problem>) {
    super(problem.title);
    this.status = problem.status;
    this.code = problem.code;
    this.facts = problem.facts ?? {};
    this.fields = problem.errors ?? [];
  }

  static async of(response: Response, fallback: string): Promise<ApiError> {
    const body: unknown = await response.json().catch(() => null);
    if (isProblem(body)) return new ApiError({ ...body, status: response.status });
    return new ApiError({ title: fallback, status: response.status, code: "unknown" });
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "title" in body && "code" in body;
}
