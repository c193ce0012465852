/* A film of one cell as the server sends it (see film.py), and its painting on a canvas. It stands alone: a cell that is
   handed over takes it along. */

export const CHANNEL_COLOURS = [[86, 180, 233], [230, 159, 0], [204, 121, 167], [0, 158, 115], [0, 114, 178], [213, 94, 0]];

export class Film {
  constructor() {
    this.header = null;
    this.bytes = new Uint8Array(0);
    this.used = 0;
    this.done = false;
    this.whenHeader = new Promise((resolve, reject) => { this._resolve = resolve; this._reject = reject; });
    this.whenHeader.catch(() => {});
    this.onProgress = () => {};
  }

  static fetch(url) {
    const film = new Film();
    film.whenDone = film._read(url).catch((error) => { film.error = error; film._reject(error); film.onProgress(); });
    return film;
  }

  async _read(url) {
    const answer = await reach(fetch(url));
    if (!answer.ok) throw await readError(answer);
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reach(reader.read());
      if (done) break;
      this.append(value);
      this.onProgress();
    }
    this.done = true;
    this.onProgress();
  }

  append(chunk) {
    if (this.used + chunk.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.used + chunk.length, 2 * this.bytes.length, 1 << 16));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.used);
    this.used += chunk.length;
    if (!this.header && this.used >= 4) this._readHeader();
  }

  _readHeader() {
    const length = new DataView(this.bytes.buffer).getUint32(0, true);
    if (this.used < 4 + length) return;
    const header = JSON.parse(new TextDecoder().decode(this.bytes.subarray(4, 4 + length)));
    this.start = 4 + length;
    this.places = new Map(header.frames.map((frame, place) => [frame, place]));
    this.end = this.start + header.frames.length * (header.frame_bytes || 0);
    if (this.bytes.length < this.end) {
      const whole = new Uint8Array(this.end + 65536);
      whole.set(this.bytes.subarray(0, this.used));
      this.bytes = whole;
    }
    this.header = header;
    this._resolve(header);
  }

  /** Whether a frame has come: true, false, or null where the film has none of that number. */
  has(frame) {
    const place = this.places?.get(frame);
    return place === undefined ? null : this.used >= this.start + (place + 1) * this.header.frame_bytes;
  }

  isBad(frame) { return this.bytes[this.start + this.places.get(frame) * this.header.frame_bytes] === 1; }

  /** Pixels of a channel of a frame, as a typed array over the answer itself. */
  pixels(frame, channel) {
    const { height, width, dtype, frame_bytes: step } = this.header;
    const Type = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }[dtype];
    const at = this.start + this.places.get(frame) * step + 4 + channel * height * width * Type.BYTES_PER_ELEMENT;
    return new Type(this.bytes.buffer, at, height * width);
  }

  mask(frame) {
    const { height, width, dtype, channels, frame_bytes: step, has_mask: has } = this.header;
    if (!has || !this.has(frame)) return null;
    const pixels = channels.length * height * width * { uint8: 1, uint16: 2, float32: 4 }[dtype];
    return this.bytes.subarray(this.start + this.places.get(frame) * step + 4 + pixels).subarray(0, height * width);
  }

  /** What follows the frames: the figure of curves. */
  figure() {
    return this.done && this.used > this.end ? JSON.parse(new TextDecoder().decode(this.bytes.subarray(this.end, this.used))) : null;
  }

  /** Darkest and brightest usual value of a channel over the frames that have come. */
  limits(channel) {
    const frames = this.header.frames.filter((frame) => this.has(frame) && !this.isBad(frame));
    const sample = [];
    const step = Math.max(1, Math.floor((frames.length * this.header.height * this.header.width) / 20000));
    let i = 0;
    for (const frame of frames) {
      const values = this.pixels(frame, channel);
      for (; i < values.length; i += step) sample.push(values[i]);
      i -= values.length;
    }
    const inside = sample.filter((value) => Number.isFinite(value) && value !== 0);  // 0 is what lies outside the image
    const sorted = Float64Array.from(inside).sort();
    if (!sorted.length) return [0, 1];
    const low = sorted[Math.floor(0.005 * (sorted.length - 1))];
    const high = sorted[Math.ceil(0.998 * (sorted.length - 1))];
    return [low, high > low ? high : low + 1];
  }

  /** Paint a frame on a canvas of its own size; view holds, by channel, {on, low, high}. */
  paint(canvas, frame, view) {
    const { height, width, channels } = this.header;
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const out = image.data.fill(255);
    const shown = channels.map((_, c) => c).filter((c) => view[c].on);
    for (let i = 0; i < out.length; i += 4) out[i] = out[i + 1] = out[i + 2] = 0;
    const share = shown.length > 2 ? 0.7 : 1;  // three together would be white
    for (const c of shown) {
      const values = this.pixels(frame, c);
      const { low, high } = view[c];
      const scale = 1 / (high - low || 1);
      const [red, green, blue] = shown.length === 1 ? [255, 255, 255] : CHANNEL_COLOURS[c % CHANNEL_COLOURS.length];
      for (let i = 0, o = 0; i < values.length; i++, o += 4) {
        const v = share * Math.min(1, Math.max(0, (values[i] - low) * scale));
        out[o] += v * red;  // clamped by the array itself
        out[o + 1] += v * green;
        out[o + 2] += v * blue;
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** Draw the outline of the mask along the edges of its pixels, on a canvas of any size. */
  outline(canvas, frame) {
    const mask = this.mask(frame);
    if (!mask) return;
    const { height, width } = this.header;
    const context = canvas.getContext("2d");
    const [sx, sy] = [canvas.width / width, canvas.height / height];
    const inside = (y, x) => y >= 0 && x >= 0 && y < height && x < width && mask[y * width + x];
    context.beginPath();
    for (let y = 0; y <= height; y++) {
      for (let x = 0; x <= width; x++) {
        const here = !!inside(y, x);
        if (here !== !!inside(y, x - 1)) { context.moveTo(x * sx, y * sy); context.lineTo(x * sx, (y + 1) * sy); }
        if (here !== !!inside(y - 1, x)) { context.moveTo(x * sx, y * sy); context.lineTo((x + 1) * sx, y * sy); }
      }
    }
    context.strokeStyle = "#f0e442";
    context.lineWidth = 1;
    context.stroke();
  }
}

/** Await what comes from the server; if it does not come, the error says so. */
export async function reach(coming) {
  try { return await coming; } catch (error) { throw Object.assign(error, { isAway: true }); }
}

export async function readError(answer) {
  let sentence = `The server answered ${answer.status}.`;
  let body = {};
  try { body = await answer.json(); sentence = body.sentence || sentence; } catch { /* no JSON: the number says it */ }
  return Object.assign(new Error(sentence), { status: answer.status, body });
}
