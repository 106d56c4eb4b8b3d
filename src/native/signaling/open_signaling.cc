// SPDX-License-Identifier: MIT
#include "src/native/signaling/open_signaling.h"

namespace wdc::native::signaling {

Result<std::unique_ptr<core::SignalingBackend>> open_signaling(boost::asio::io_context& context, std::string_view url,
                                                               std::string_view room, const Options& options) {
  if (url == "broadcast:") return open_local_room(context, room);
  return open_web_socket(context, url, room, options);
}

}  // namespace wdc::native::signaling
