// SPDX-License-Identifier: MIT
//
// Which stage of a packet's way a profiler's sample belongs to: the only place that knows the names of functions.

export const rest = 'rest';

/**
 * Stage, its colour in the plot, and the functions that belong to it, each as `symbol (library)`. What no pattern names is
 * in the rest. The first that matches counts.
 */
export const stages = [
  { name: 'kernel: wake-ups, epoll, scheduling', color: '#4b5563', patterns: [
    /^(__wake_up\w*|try_to_wake_up|sock_def_readable|__?schedule\w*|ep_poll\w*|do_epoll_\w+|__x64_sys_epoll\w+|epoll_(wait|ctl)|do_futex|__x64_sys_timerfd_\w+) /,
    /^(asm_)?sysvec_/,
  ] },
  { name: 'kernel: delivery on loopback', color: '#8a8f98', patterns: [/^(net_rx_action|process_backlog|__napi_poll) /] },
  { name: 'kernel: send', color: '#b7bcc4', patterns: [/^(__sys_|__x64_sys_|__libc_)?(sendto|sendmsg|sendmmsg) /] },
  { name: 'kernel: receive', color: '#d8dbe0', patterns: [/^(__sys_|__x64_sys_|__libc_)?(recvfrom|recvmsg|recvmmsg) /] },
  { name: 'AEAD', color: '#e36209', patterns: [
    /\((libcrypto|libIPSec_MB)\b/, /::(IpsecMb|OpenSsl)Aead::/,
    /^__strcmp_/, // OpenSSL looks its parameters up by name; nobody else compares texts for a packet
  ] },
  { name: 'CRC32c', color: '#f2b705', patterns: [/crc32c|Crc32c|update_sse42/] },
  { name: 'records, trains, UDP and ICE', color: '#d6336c', patterns: [
    /^wdc::(dtls|udp|ice)::/, /^wdc::native::(Transport|NativeBackend)::/,
  ] },
  { name: 'what is in flight, SACKs, timers', color: '#b65fcf', patterns: [
    /^wdc::sctp::(Outstanding|NewReno|Cubic|Pacer|PathLimit|Retransmission|ReceivedTsns|Rto\w*|Timer\w*)::/,
    /^wdc::sctp::Transmission::(handle_sack|apply|arm_\w+|take_abandoned)/,
    /^wdc::sctp::(Reception::(write_sacks|owe_sack)|Association::handle_sack)/,
    /^wdc::core::TimerHeap::/, /clock_gettime|steady_clock::now/,
  ] },
  { name: 'SCTP send', color: '#0b4ea2', patterns: [
    /^wdc::sctp::(SendQueue|Transmission|PacketWriter|forget_message)/, /^wdc::sctp::Association::(send|transmit)/,
  ] },
  { name: 'SCTP receive', color: '#5ea3f7', patterns: [
    /^wdc::sctp::(Reception|Reassembly|PartialMessages|WaitingMessages|PacketView)::/,
    /^wdc::sctp::Association::(handle|accept|poll_message|consumed)/,
  ] },
  { name: 'messages: copies and memory', color: '#1a9e77', patterns: [
    /^(__)?mem(move|cpy|set)/, /^wdc::native::MessageMemory::/, /^wdc::sctp::BufferPool::/, /^wdc::Message::/,
    /^(malloc|calloc|realloc|cfree|_int_malloc|_int_free|operator (new|delete))/,
  ] },
  { name: 'channel, coroutines, loop, user', color: '#8fd3a8', patterns: [
    /^wdc::(core|dcep|detail|bench)::/, /^wdc::native::(NativePeer|NativeChannel)::/, /^boost::asio::/,
    /^std::_Hashtable<(unsigned short, std::pair<unsigned short const, )?wdc::native::Native(Peer|Channel)/, // looked up by each call
    /^wdc::(DataChannel|MessageStream|NextOperation|SendOperation|EventLoop|Task)\b/, /^(__GI_+)?pthread_/,
  ] },
  { name: rest, color: '#e9d8a6', patterns: [] },
];

/**
 * The stage of a sample, its frames from the innermost on. In the kernel the innermost frame that a pattern names
 * counts, out to the function that made the call or had the fault; outside of it the function itself, since frames above it
 * are not certain without frame pointers.
 */
export function stageOf(frames) {
  const isKernel = ({ library }) => library.startsWith('[kernel') || library.endsWith('.ko');
  const firstOutside = frames.findIndex((frame) => !isKernel(frame));
  const known = firstOutside < 0 ? frames : frames.slice(0, firstOutside + 1);
  for (const { symbol, library } of known) {
    const text = `${symbol.replace(/^(non-)?virtual thunk to /, '')} (${library})`;
    const stage = stages.find(({ patterns }) => patterns.some((pattern) => pattern.test(text)));
    if (stage) return stage.name;
  }
  return rest;
}

/** What `perf script -F comm,tid,period,ip,sym,dso` prints, as [{ thread, period, frames: [{ symbol, library }] }]. */
export function parseSamples(text) {
  const samples = [];
  for (const block of text.split('\n\n')) {
    const [heading, ...lines] = block.split('\n').filter((line) => line.trim() !== '');
    if (heading === undefined) continue;
    const [, thread, period] = /^\s*(.+?)\s+\d+\s+(\d+):?\s*$/.exec(heading) ?? [];
    if (thread === undefined) throw new Error(`perf script has printed what is no sample: ${heading}`);
    const frames = lines.map((line) => {
      const [, symbol, library] = /^\s*[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? ['', '[unknown]', '[unknown]'];
      return { symbol, library: library.slice(library.lastIndexOf('/') + 1) };
    });
    samples.push({ thread, period: Number(period), frames });
  }
  return samples;
}

/** Of a thread's samples: each stage's share of its time, all of them, in their order; and functions of the rest, [name, share]. */
export function shares(samples) {
  const total = samples.reduce((sum, { period }) => sum + period, 0);
  if (total === 0) throw new Error('no samples');
  const times = new Map(stages.map(({ name }) => [name, 0]));
  const others = new Map();
  const add = (map, name, time) => map.set(name, (map.get(name) ?? 0) + time / total);
  for (const { period, frames } of samples) {
    const stage = stageOf(frames);
    add(times, stage, period);
    if (stage === rest) add(others, `${frames[0]?.symbol} (${frames[0]?.library})`, period);
  }
  return { stages: times, others: [...others].sort((a, b) => b[1] - a[1]) };
}
