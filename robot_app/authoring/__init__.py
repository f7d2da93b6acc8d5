"""An author's hands on a robot: one behaviour played, poses recorded. It runs on a PC, never on the robot."""
