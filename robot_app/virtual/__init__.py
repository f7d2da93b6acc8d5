"""A NAO that is not there: NAOqi's services as plain classes, on real libqi or inside another process."""
