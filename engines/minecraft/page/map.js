// Draws what body/map.js tells, once a second: blocks from above, shaded by height, and who is there.

const COLOURS = [ // the first that fits a block's name
  [/water|ice|kelp/, 215, 62, 52], [/lava|fire|magma/, 22, 95, 52], [/leaves/, 115, 38, 30], [/grass_block|moss/, 100, 40, 44],
  [/log|wood|stem/, 30, 42, 26], [/planks|chest|crafting|door|fence/, 34, 48, 50], [/sand(?!stone)/, 48, 55, 72], [/sandstone/, 46, 42, 66],
  [/dirt|podzol|farmland|path/, 28, 38, 38], [/snow/, 210, 20, 94], [/coal_ore/, 0, 0, 22], [/iron_ore/, 25, 45, 62], [/gold_ore/, 48, 85, 58],
  [/diamond_ore/, 182, 70, 62], [/redstone_ore/, 0, 75, 45], [/furnace/, 0, 0, 34], [/torch|lantern/, 48, 100, 70], [/air/, 270, 30, 8],
];
const STONE = [/./, 220, 4, 50];
const WHO = { foe: "#ff4d4d", player: "#5db7ff", animal: "#fff3e0", item: "#c9ff7a" };
const byId = (id) => document.getElementById(id);
const ink = byId("map").getContext("2d");

function colour(name, height) {
  const [, hue, saturation, light] = COLOURS.find(([fits]) => fits.test(name)) ?? STONE;
  return `hsl(${hue} ${saturation}% ${Math.max(4, Math.min(96, light + 2.2 * height))}%)`;
}

function dot(x, y, size, fill) {
  ink.beginPath();
  ink.arc(x, y, size, 0, 7);
  ink.fillStyle = fill;
  ink.strokeStyle = "#000";
  ink.fill();
  ink.stroke();
}

function draw({ reach, names, rows, things, yaw }) {
  const side = 2 * reach + 1, size = ink.canvas.width / side, middle = ink.canvas.width / 2;
  rows.forEach(([name, height], n) => {
    ink.fillStyle = colour(names[name], height);
    ink.fillRect((n % side) * size, Math.floor(n / side) * size, size + 1, size + 1);
  });
  for (const [kind, x, z] of things) dot(middle + x * size, middle + z * size, 0.45 * size, WHO[kind]);
  ink.lineWidth = 4;
  ink.strokeStyle = "#ffd54a";
  ink.beginPath();
  ink.moveTo(middle, middle);
  ink.lineTo(middle - Math.sin(yaw) * 1.6 * size, middle - Math.cos(yaw) * 1.6 * size);
  ink.stroke();
  ink.lineWidth = 2;
  dot(middle, middle, 0.6 * size, "#ffd54a");
}

async function look() {
  try {
    const seen = await (await fetch("/map.json")).json();
    byId("doing").textContent = seen.there ? seen.doing || "Looking around" : "Not in the world";
    if (!seen.there) return;
    draw(seen);
    byId("health").textContent = `Health ${seen.health}, food ${seen.food}, ${seen.day ? "day" : "night"}`;
    byId("has").replaceChildren(...seen.has.map(([name, count]) => {
      const row = document.createElement("li");
      row.textContent = `${count} ${name.replaceAll("_", " ")}`;
      return row;
    }));
  } catch {
    byId("doing").textContent = "Not in the world"; // and asked again
  }
}

look();
setInterval(look, 1000);
