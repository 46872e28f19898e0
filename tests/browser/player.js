// Plays a package with hls.js or dash.js and writes down what happens.
// `begin` starts at a height, `change` switches to another, `again` plays from some time on, `seen` tells all.
"use strict";

// Seconds. Little is fetched ahead: where all of a film is fetched already, no change of height can be seen.
const AHEAD = 2;

const video = document.getElementById("video");
const heights = [], errors = [];
let player, playing;

video.addEventListener("resize", () => heights.push(video.videoHeight));
video.addEventListener("error", () => errors.push(`video: ${video.error.code} ${video.error.message}`));
window.addEventListener("error", (event) => errors.push(`page: ${event.message}`));
window.addEventListener("unhandledrejection", (event) => errors.push(`page: ${event.reason}`));

const players = {
  "hls.js": {
    begin(url, height) {
      player = new Hls({ autoStartLoad: false, maxBufferLength: AHEAD, maxMaxBufferLength: AHEAD });
      player.on(Hls.Events.ERROR, (_, { type, details, fatal, reason, error }) =>
        errors.push(`${fatal ? "fatal " : ""}${details} ${type}: ${reason ?? error?.message ?? ""}`));
      player.on(Hls.Events.MANIFEST_PARSED, () => {
        this.change(height);
        player.startLoad(0);
      });
      player.loadSource(url);
      player.attachMedia(video);
    },
    // A level that is set by hand ends the choice by bandwidth.
    change(height) {
      player.nextLevel = player.levels.findIndex((level) => level.height === height);
    },
  },
  dashjs: {
    begin(url, height) {
      player = dashjs.MediaPlayer().create();
      player.updateSettings({
        streaming: {
          abr: { autoSwitchBitrate: { video: false, audio: false }, initialBitrate: { video: 1 } },
          buffer: {
            bufferTimeDefault: AHEAD,
            bufferTimeAtTopQuality: AHEAD,
            bufferTimeAtTopQualityLongForm: AHEAD,
          },
        },
      });
      const { ERROR, PLAYBACK_ERROR, PLAYBACK_NOT_ALLOWED } = dashjs.MediaPlayer.events;
      for (const event of [ERROR, PLAYBACK_ERROR, PLAYBACK_NOT_ALLOWED]) {
        player.on(event, ({ type, error }) => errors.push(`${type}: ${error?.code} ${error?.message}`));
      }
      player.initialize(video, url, true);
    },
    change(height) {
      const found = player.getRepresentationsByType("video").findIndex((one) => one.height === height);
      player.setRepresentationForTypeByIndex("video", found);
    },
  },
};

function begin(name, url, height, rate) {
  playing = players[name];
  playing.begin(new URL(url, location).href, height);
  video.defaultPlaybackRate = video.playbackRate = rate;
  again(0);
}

function change(height) {
  playing.change(height);
}

function again(time) {
  if (time) video.currentTime = time;
  video.play().catch((error) => errors.push(`play: ${error.message}`));
}

function seen() {
  const range = (_, number) => [video.buffered.start(number), video.buffered.end(number)];
  return {
    time: video.currentTime,
    duration: video.duration,
    ended: video.ended,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
    buffered: Array.from({ length: video.buffered.length }, range),
    heights,
    errors,
  };
}
