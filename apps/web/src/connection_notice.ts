// SPDX-License-Identifier: MIT

export interface Notice {
  title: string;
  text: string;
}

/** What to tell people about the end of a connection, or that there is none to be had. */
export function noticeFor(reason: string): Notice {
  const [code] = reason.split(':', 1);
  switch (code) {
    case 'room_full':
      return {
        title: 'This room is full',
        text: 'Two pages are connected in it already. Open a room of your own, or try again when one has left.',
      };
    case 'closed':
    case 'connection_closed':
      return { title: 'The other side has left', text: 'Reconnect to wait for it in the same room.' };
    case 'peer_lost':
    case 'transport_error':
    case 'aborted':
      return { title: 'The connection is lost', text: 'The other side does not answer any more. Reconnect to try again.' };
    case 'signaling_unreachable':
    case 'signaling_lost':
      return { title: 'The server cannot be reached', text: 'It is needed for the two sides to find each other. Is it running?' };
    case 'rate_limited':
      return { title: 'Too fast', text: 'The server asks for a moment of patience.' };
    case 'bad_room':
      return { title: 'This link is not valid', text: 'A room has 1 to 64 letters, digits, dashes or underscores.' };
    case 'protocol_error':
      return { title: 'The other side cannot be understood', text: 'It does not speak this page’s protocol, or a newer one.' };
    case 'wasm_trapped':
      return { title: 'This page has failed', text: 'That is a fault of its own. Reload it to go on.' };
    case 'unsupported':
      return { title: 'This browser cannot do it', text: 'The page needs WebAssembly and WebRTC.' };
    default:
      return { title: 'No connection', text: 'Reconnect to try again.' };
  }
}
