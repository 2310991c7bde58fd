// Her colours: `main` is bright, `evil` is her twin. What differs in shape is here too.

/** The palette of each model that the server knows. */
export const LOOKS = { Spark: "main", "Spark Evil": "evil" };

const main = {
  mirrored: false,
  fang: 0, horns: false, slit: 0, sharp: 0, smirk: 0,
  skin: { light: "#fff1e6", base: "#ffe6d8", shade: "#f9c4b4", deep: "#e79a8e", line: "#8a4a42" },
  blush: "255, 112, 112",
  hair: {
    light: "#fff6c9", root: "#ffdd6b", base: "#ffc64a", tip: "#ff8a70",
    shade: "#e8963a", deep: "#c06a2c", back: "#d98335", line: "#874219",
  },
  eye: {
    lash: "#472019", top: "#0a3b80", mid: "#1c93e0", low: "#7ff4ff", pupil: "#071d49", rim: "#08275c",
    glow: "#d8ffff",
  },
  brow: "#b5692a",
  mouth: { line: "#8e3d3d", inside: "#8f2a3c", deep: "#5c1228", tongue: "#ff8f94" },
  coat: {
    light: "#ffffff", base: "#f1f4ff", shade: "#bcc6ea", line: "#47507e", lining: "#ffc93c", lace: "#25c9ee",
  },
  top: { light: "#39467f", base: "#27305f", shade: "#181e42" },
  metal: { light: "#fffbe0", base: "#ffd93b", shade: "#f29a1f", line: "#9a5312" },
  ribbon: { light: "#6fe9ff", base: "#22bfe8", shade: "#1683bd", line: "#0d4b79" },
};

const evil = {
  mirrored: true,
  fang: 1, horns: true, slit: 1, sharp: 1, smirk: 1,
  skin: { light: "#fff3f1", base: "#fbe3e2", shade: "#e8b7c0", deep: "#c98a9c", line: "#6d3450" },
  blush: "235, 70, 120",
  hair: {
    light: "#8a74d6", root: "#57428f", base: "#3f2f70", tip: "#ec2f68",
    shade: "#2a1f50", deep: "#1d1439", back: "#241a45", line: "#120a26",
  },
  eye: {
    lash: "#1c0a20", top: "#4a0322", mid: "#d51848", low: "#ffa04f", pupil: "#1c000c", rim: "#38021a",
    glow: "#ffe2b8",
  },
  brow: "#33224f",
  mouth: { line: "#6e2242", inside: "#7c1534", deep: "#420a20", tongue: "#f0718b" },
  coat: {
    light: "#4a4260", base: "#2f2a40", shade: "#1b1728", line: "#0a0812", lining: "#d01d4c", lace: "#ff3f6d",
  },
  top: { light: "#722040", base: "#4a1229", shade: "#2d0918" },
  metal: { light: "#ffd9df", base: "#ff4d6f", shade: "#b5123f", line: "#4f041d" },
  ribbon: { light: "#7b6b9e", base: "#352c4d", shade: "#1d172e", line: "#0a0714" },
};

export const PALETTES = { main, evil };
