// The newest values in a fixed number of slots; what does not fit pushes the oldest out.

export class Ring<T> {
  private slots: T[] = [];
  private start = 0;

  constructor(private readonly capacity: number) {}

  push(item: T): void {
    if (this.slots.length < this.capacity) {
      this.slots.push(item);
      return;
    }
    this.slots[this.start] = item;
    this.start = (this.start + 1) % this.capacity;
  }

  /** Forgets all but so many of the newest. */
  keepNewest(count: number): void {
    const { length } = this;
    this.slots = this.toArray().slice(Math.max(0, length - count));
    this.start = 0;
  }

  clear(): void {
    this.slots.length = 0;
    this.start = 0;
  }

  get length(): number {
    return this.slots.length;
  }

  /** Oldest first. */
  toArray(): T[] {
    return [...this.slots.slice(this.start), ...this.slots.slice(0, this.start)];
  }
}
