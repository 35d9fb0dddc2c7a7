"""The fleet's full physics: what a guest's and a host's kernel make of too little memory."""
