/** Answers may overtake each other: each call gives a test that holds until the next call. */
export function latest(): () => () => boolean {
  let turn = 0;
  return () => {
    turn += 1;
    const mine = turn;
    return () => mine === turn;
  };
}
