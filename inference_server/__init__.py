"""The PC's end: frames in, readings out, and a page to watch. It never imports the robot's end."""
