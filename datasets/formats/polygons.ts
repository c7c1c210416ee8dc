/** Appends the triangles of a polygon (a fan from its first corner) to `faces`. */
export function fanTriangles(corners: ArrayLike<number>, faces: number[]): void {
  for (let i = 2; i < corners.length; i++) faces.push(corners[0]!, corners[i - 1]!, corners[i]!);
}
